"""What statements may name: functions without effects, tables whose content is nobody's business, words that act."""

import re

#: Functions that only compute. One that isn't here may do anything.
FUNCTIONS = frozenset(
    """count sum avg min max abs round trunc ceil ceiling floor mod power sqrt sign exp ln log greatest least coalesce nvl nvl2 nullif ifnull isnull
    decode iif if cast convert try_cast try_convert to_char to_date to_number to_timestamp date timestamp time date_format date_trunc date_part extract
    datediff dateadd datename datepart datetime date_add date_sub adddate subdate timestampdiff timestampadd add_months months_between last_day next_day
    now sysdate systimestamp getdate getutcdate current_date current_timestamp curdate curtime localtimestamp unix_timestamp from_unixtime str_to_date
    year month day hour minute second week weekday dayofweek quarter eomonth format julianday strftime age
    upper lower initcap length len char_length character_length octet_length lengthb datalength substr substring substrb left right trim ltrim rtrim btrim lpad rpad
    replace translate instr charindex patindex position locate concat concat_ws reverse ascii chr char nchar split_part regexp_like regexp_substr regexp_count
    regexp_instr regexp_replace regexp_matches string_agg group_concat listagg array_agg hex md5 to_hex
    row_number rank dense_rank ntile lag lead first_value last_value percent_rank cume_dist percentile_cont percentile_disc nth_value median stddev variance
    stddev_pop var_pop bool_and bool_or every
    pg_size_pretty pg_database_size pg_total_relation_size pg_relation_size pg_table_size pg_indexes_size pg_get_indexdef pg_get_constraintdef pg_get_viewdef
    pg_is_in_recovery pg_last_wal_replay_lsn pg_last_wal_receive_lsn pg_current_wal_lsn pg_wal_lsn_diff pg_blocking_pids pg_postmaster_start_time
    pg_last_xact_replay_timestamp pg_backend_pid pg_stat_get_activity to_regclass current_database current_schema current_user version database schema user
    cardinality array_length array_to_string array_position string_to_array jsonb_typeof json_typeof json_extract_path_text jsonb_extract_path_text json_unquote
    json_length json_keys json_contains make_date make_interval isfinite width_bucket starts_with strpos overlay format_number truncate field elt find_in_set
    substring_index inet_ntoa inet_aton inet6_ntoa bit_count crc32 any_value std period_diff makedate maketime sec_to_time time_to_sec to_days from_days weekofyear
    dayname monthname dayofmonth dayofyear sysdatetime sysutcdatetime datefromparts stuff choose isdate isnumeric numtodsinterval numtoyminterval to_dsinterval
    wm_concat xmlagg ora_hash rawtohex vsize bitand lnnvl ratio_to_report grouping grouping_id to_datetime sys_datetime clock_timestamp statement_timestamp
    transaction_timestamp pg_get_functiondef pg_get_userbyid pg_get_triggerdef pg_get_expr pg_relation_filepath pg_encoding_to_char pg_conf_load_time
    pg_walfile_name pg_is_wal_replay_paused has_table_privilege databasepropertyex fileproperty filegroup_name col_length type_name user_name schema_id
    db_name object_name schema_name object_id serverproperty suser_name host_name app_name inet_client_addr inet_server_addr quote_ident format_type
    obj_description col_description json_extract json_value jsonb_array_length json_array_length unnest
    jsonb_pretty to_json to_jsonb row_to_json json_agg jsonb_agg json_build_object jsonb_build_object json_object_agg jsonb_object_agg
    json_array_elements jsonb_array_elements json_array_elements_text jsonb_array_elements_text json_each jsonb_each json_each_text jsonb_each_text
    json_object_keys jsonb_object_keys json_query json_exists json_object json_arrayagg json_objectagg isjson string_split regexp_split_to_array
    regexp_split_to_table quote_literal corr mode soundex datetrunc switchoffset pg_typeof pg_column_size pg_size_bytes pg_get_partkeydef
    pg_partition_tree pg_get_serial_sequence pg_current_wal_insert_lsn pg_current_logfile pg_safe_snapshot_blocking_pids has_schema_privilege
    has_database_privilege has_column_privilege pg_has_role
    db_id object_schema_name index_col indexproperty objectproperty columnproperty stats_date scope_identity
    last_insert_id row_count found_rows connection_id sys_context userenv uid rownum total changes last_insert_rowid""".split()
) - {"convert_from"}
#: Words before a parenthesis that aren't functions.
GRAMMAR = frozenset(
    """in values and or not exists over as on using from where select by having case when then else any all some interval limit top union intersect except
    minus varchar varchar2 nvarchar numeric decimal char character number float timestamp partition within filter between like join with group order distinct
    set into is analyze end lateral range rows key index fetch offset escape separator nvarchar2 clob bit time enum sets rollup cube keep pivot unpivot""".split()
)
#: Bare words that no reading statement needs; some databases take them for a statement of its own even without “;”.
ACTING = frozenset(
    """delete drop truncate alter grant revoke exec execute shutdown kill create merge insert update call do copy into outfile dumpfile load attach
    detach prepare deallocate declare reconfigure backup restore rename handler lock unlock purge flush import replace_into waitfor bulk openrowset openquery
    opendatasource openxml xp_cmdshell sp_executesql go begin commit rollback nextval currval tablesample_fn returning procedure dbcc deny use print raiserror
    utl_http utl_file utl_smtp utl_tcp utl_inaddr dbms_scheduler dbms_job dbms_xmlgen dbms_lob dbms_pipe dbms_lock httpuritype reset discard notify listen
    vacuum reindex cluster checkpoint set""".split()
)
#: Hints of SQL Server with which a query locks what it reads.
LOCKS = frozenset(
    "updlock xlock tablock tablockx holdlock serializable repeatableread paglock rowlock readcommittedlock".split()
)
SECRET_TABLES = re.compile(
    r"(?i)(^|\.)(pg_shadow|pg_authid|pg_user_mappings?|pg_subscription|pg_statistic|pg_stats|pg_largeobject|user\$|link\$|user_history\$|dba_links?|user_db_links|sql_logins|syslogins|sysxlogins|sysusers"
    r"|server_principal_credentials|default_pwd\w*|dba_users_with_defpwd|global_priv|slave_master_info|innodb_\w*keyring\w*)$"
    r"|^mysql\.(db|global_priv|proxies_priv|servers)$|secret|credential|passw|api_?key|private_?key|(^|_)tokens?($|_)|(^|_)otp|session_attributes|persistent_logins|django_session$|tomcat\$?_?sessions?$|^oauth2?_"
)
#: Views that operators look at, with one column that passwords become.
HOLD_HASHES = re.compile(r"(?i)(^|\.)(dba_users|mysql\.user|sys_users_|_?db_user|_dd_users?)$")
HOLD_SETTINGS = re.compile(r"(?i)(^|\.)pg_(file_)?settings$")
PERSONAL_TABLES = re.compile(
    r"(?i)(^|_)(members?|accounts?|customers?|clients?|users?|citizens?|residents?|persons?|people|patients?|employees?|staffs?|emp|applicants?|payees?"
    r"|beneficiar\w+|subscribers?|profiles?|mbe?rs?|usrs?|custs?|cstmrs?|emplyrs?|aplcnts?|applcnts?|회원|고객|민원인|주민|직원|신청인)"
    r"(_?(info|mst|master|tb|tbl|base?|bsc|dtl|mng|detail|list|\d+))?$|(gnrl|entrprs)mber$|emplyrinfo\w*$"
)
BUSINESS_TABLES = re.compile(
    r"(?i)(^|_)(orders?|payments?|pay|billing|invoices?|contracts?|transactions?|taxe?s?|claims?|subsid\w+|grants?)(_|$)"
)
SECRET_COLUMNS = re.compile(
    r"(?i)passw|(^|_)pwd|secret|token|api_?key|private_key|authentication_string|^auth(_string)?$|salt$|hash$|(^|_)(en)?pswd|conninfo|umoptions"
    r"|(^|_)(cv[cv]|otp)|otp$|(ssn|rrn)(o?$|_|\d)|jumin|(?<!p)resident|ihidnum|session_data|attribute_bytes|비밀|주민"
)
PERSONAL_COLUMNS = re.compile(
    r"(?i)(^|_)(name|nm|username|full_?name|phone\w*|tel\w*|mobile\w*|hp\w*|cell\w*|e?mail\w*|addr\w*|address\w*|birth\w*|card\w*|acct\w*|account_?no|bank\w*|ci|di|passport\w*|ip"
    r"|flnm|\w*(user|usr|mbe?r|cust|emplyr|ncnm)nm|brdt|brthdy\w*|mbtl\w*|moblphon\w*|adres\w*|daddr|actno|acnut\w*|psprt\w*|pasport\w*)$|이름|성명|전화|주소"
)
_ALSO_HIDDEN = re.compile(
    r"(?i)(^|_)(name|nm|addr|address|tel|phone|mobile|hp|email|mail|birth|birthday|jumin|rrn|ssn|passport|account_no|acct)"
    r"(_|\d|$)|이름|성명|주소|전화|휴대폰|연락처|메일|생년|주민|여권|계좌|면허"
)
#: Tables of the system itself; what they show is for those who operate it.
SYSTEM_TABLES = re.compile(
    r"(?i)^(v|gv)\$|^(dba|all|user)_\w+s$|^pg_|^information_schema\.|^performance_schema\.|^sys\.|^sqlite_|^dual$|^db_(user|class|index|attribute|serial|trigger|partition|auth|root)$|^master\.|^msdb\.|^mysql\.(user|slow_log|general_log|innodb_\w+)$"
)
FIRST_BLOCKS = frozenset(
    """drop truncate grant revoke merge copy exec execute call do load replace attach detach shutdown kill flush purge reset lock rename handler
    prepare declare bulk backup restore begin deallocate import deny reconfigure delimiter source host stop install uninstall change dbcc security
    reassign""".split()
)


def is_hidden_column(name: str) -> bool:
    """Whether a result's column of this name is masked: people's data, and secrets."""
    return any(words.search(name) for words in (PERSONAL_COLUMNS, SECRET_COLUMNS, _ALSO_HIDDEN))
