-- The bench's own filling: institutions, people, tasks and approvals, in sets. Each statement ends with a blank line.
-- Who is who: leads 1-400 (two per institution), then PMs 401-460, security officers 461-490, and ten people for all
-- institutions 491-500; site managers follow. Old tasks are over, of the newest ones most are open.

INSERT INTO accounts_institution (code, name, aliases, changed_at)
SELECT 'BV' || lpad(i::text, 3, '0'), '성능기관 ' || i, '{}', now() FROM generate_series(1, %(institutions)s) i;

CREATE TEMP TABLE inst AS
SELECT id, row_number() OVER (ORDER BY code) AS n FROM accounts_institution WHERE code LIKE 'BV%%';

INSERT INTO accounts_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active,
                           date_joined, display_name, phone, password_changed_at)
SELECT '!', false, 'bv' || lpad(u::text, 4, '0'), '', '', '', u <= %(approvers)s, true, now(),
       (ARRAY['김','이','박','최','정','강','조','윤'])[1 + u %% 8] || '승인' || u, '', now()
FROM generate_series(1, %(approvers)s + 5 * %(institutions)s) u;

CREATE TEMP TABLE person AS
SELECT id, row_number() OVER (ORDER BY username) AS n FROM accounts_user WHERE username LIKE 'bv____';

INSERT INTO accounts_membership (user_id, institution_id, role, authority)
SELECT p.id, i.id, 'TEAM_LEAD', 'APPROVER' FROM person p JOIN inst i ON i.n = 1 + (p.n - 1) %% %(institutions)s
 WHERE p.n <= 400
UNION ALL SELECT p.id, i.id, 'PM', 'APPROVER' FROM inst i JOIN person p ON p.n = 401 + i.n %% 60
UNION ALL SELECT p.id, i.id, 'SECURITY_OFFICER', 'APPROVER' FROM inst i JOIN person p ON p.n = 461 + i.n %% 30
UNION ALL SELECT p.id, NULL, r.role, 'APPROVER'
  FROM person p, unnest(ARRAY['PM','SECURITY_OFFICER','OPERATOR']) r (role) WHERE p.n BETWEEN 491 AND 500
UNION ALL SELECT p.id, i.id, 'SITE_MANAGER', 'APPROVER'
  FROM person p JOIN inst i ON i.n = 1 + (p.n - %(approvers)s - 1) %% %(institutions)s WHERE p.n > %(approvers)s;

INSERT INTO cmdb_site (institution_id, code, name, tier)
SELECT id, 'BV-SITE-' || n, '성능센터 ' || n, 1 + n %% 3 FROM inst;

INSERT INTO cmdb_environmentprofile (institution_id, name, revision, middleware, startup_script, shutdown_script,
  pid_file, log_file, artefact_path, backup_dir, incoming_dir, health_path, log_ready, log_broken, free_disk_mib,
  stop_seconds, start_seconds)
SELECT id, 'bench', 1, 'Tomcat', 'bin/startup.sh', 'bin/shutdown.sh', 'run/was.pid', 'logs/was.log', 'app/app.war',
       'backup', 'incoming', '/health', 'started', 'SEVERE', 512, 30, 60 FROM inst;

INSERT INTO cmdb_system (institution_id, code, name, aliases, changed_at)
SELECT inst.id, 'BV-SYS-' || lpad(inst.n::text, 3, '0') || '-' || k,
       (ARRAY['예산','민원','전자결재','급여','인사','세정','복지','교통','재난','도서관','기록물','통계','포털','메일','회계',
              '자산','계약','법제','감사','홍보'])[1 + (inst.n + 4 * k) %% 20]
       || (ARRAY['관리','처리','정보','지원','연계'])[k] || '시스템', '{}', now()
FROM inst, generate_series(1, 5) k;

CREATE TEMP TABLE sys AS
SELECT s.id, s.name, i.id AS institution, i.n AS inst_n, row_number() OVER (PARTITION BY i.n ORDER BY s.code) AS k
FROM cmdb_system s JOIN inst i ON i.id = s.institution_id;

INSERT INTO cmdb_server (system_id, site_id, profile_id, hostname, aliases, role, number, address, ssh_port, http_port,
                         home_dir, redundancy_group, host_keys, is_active, changed_at)
SELECT sys.id, site.id, profile.id, 'bv-' || sys.inst_n || '-' || sys.k || '-' || j, '{}', 'was', j,
       ('127.9.' || sys.inst_n %% 250 || '.' || (sys.k * 10 + j))::inet, 22, 8080, '/srv/was', '', '{}', true, now()
FROM sys JOIN cmdb_site site ON site.institution_id = sys.institution
JOIN cmdb_environmentprofile profile ON profile.institution_id = sys.institution, generate_series(1, 3) j;

INSERT INTO governance_systemowner (system_id, owner_id, deputy_id, supervisor_id, sla_minutes, is_active)
SELECT sys.id, a.id, b.id, c.id, 10 + 10 * (sys.k %% 3), true
FROM sys JOIN person a ON a.n = sys.inst_n + CASE WHEN sys.k <= 3 THEN 0 ELSE %(institutions)s END
JOIN person b ON b.n = sys.inst_n + CASE WHEN sys.k <= 3 THEN %(institutions)s ELSE 0 END
JOIN person c ON c.n = 491 + sys.inst_n %% 10;

INSERT INTO governance_changewindow (name, institution_id, tier, weekdays, starts_at, ends_at, on_holidays, is_active)
SELECT '야간 ' || t, id, CASE WHEN t > 1 THEN t END, '{0,1,2,3,4}', '22:00', '06:00', 'FORBIDDEN', true
FROM inst, generate_series(1, 3) t;

INSERT INTO governance_freeze (name, institution_id, starts_at, ends_at, reason)
SELECT '연말 동결', CASE WHEN n > 1 THEN id END, now() + interval '20 days', now() + interval '30 days', '연말'
FROM inst WHERE n %% 10 = 1;

CREATE TEMP TABLE kind AS
SELECT row_number() OVER () - 1 AS n, * FROM unnest(%(sub_types)s::text[], %(categories)s::text[], %(risks)s::int[])
  AS t (sub_type, category, risk);

CREATE TEMP TABLE draft AS
SELECT g, g %% 3 AS turn, random() AS luck, (random() * 999)::int AS noise,
       1 + floor(%(institutions)s * random() ^ 2)::int AS inst_n, 1 + floor(5 * random())::int AS k,
       floor(%(kinds)s * random())::int AS kind, 1 + floor(5 * random())::int AS filer,
       now() - make_interval(secs => (%(tasks)s - g) * 86400.0 / 1000) AS moment,
       CASE WHEN g > %(tasks)s * 0.94 AND random() < 0.67 THEN
         (ARRAY['PEN','PEN','PEN','PEN','PEN','PEN','PEN','PEN','PEN','PEN','INF','SCH','SCH','APP','VAL','VAL','MAN',
                'REV','CHG','ERR'])[1 + floor(20 * random())::int]
       ELSE (ARRAY['COM','COM','COM','COM','COM','COM','COM','COM','COM','COM','COM','COM','COM','COM','COM','COM',
                   'COM','REJ','WDR','ERR'])[1 + floor(20 * random())::int] END AS status
FROM generate_series(1, %(tasks)s) g;

UPDATE draft SET status = 'EXE' WHERE status = 'APP' AND noise < 150;

INSERT INTO tickets_opstask (task_id, institution_id, requester_id, channel, text, status, reason, system_id, category,
  sub_type, params, named, is_held, needs_info, risk, is_dangerous, is_urgent, priority, scheduled_for, created_at,
  changed_at, closed_at)
SELECT 'OPS-' || to_char(timestamp '2001-01-01' + make_interval(days => g / 1000), 'YYYYMMDD') || '-'
         || lpad((g %% 1000)::text, 3, '0'),
       sys.institution, p.id, (ARRAY['portal','api'])[1 + noise %% 2],
       sys.name || ' ' || (ARRAY['서버','WAS 1호기','WAS 2호기','웹 서버','배치 서버'])[1 + noise %% 5] || ' '
         || (ARRAY['재기동해 주세요','점검 부탁드립니다','로그 정리 요청합니다','배포해 주세요','인증서를 교체해 주세요',
                   '디스크를 비워 주세요','상태를 확인해 주세요','설정을 바꿔 주세요'])[1 + noise %% 8]
         || ' (접수 ' || g || '호' || CASE WHEN noise = 7 THEN ', 화재 훈련' ELSE '' END || ')',
       d.status, '', sys.id, kind.category, kind.sub_type, '{}', '{}', d.status = 'APP' AND noise > 500,
       '{}', kind.risk, false, noise %% 20 = 0, (ARRAY[1,2,3,3,3,3,3,4,5,3])[1 + noise %% 10],
       CASE WHEN d.status = 'SCH' AND noise < 300 THEN now() + interval '3 days' END,
       moment, moment, CASE WHEN d.status IN ('COM','REJ','WDR') OR d.status = 'ERR' AND luck < 0.9 THEN moment END
FROM draft d JOIN sys ON sys.inst_n = d.inst_n AND sys.k = d.k JOIN kind ON kind.n = d.kind
JOIN person p ON p.n = %(approvers)s + d.inst_n + (d.filer - 1) * %(institutions)s
ORDER BY g;

CREATE TEMP TABLE task AS
SELECT t.id, t.status, t.system_id, t.requester_id, t.created_at, s.inst_n, s.k,
       row_number() OVER (ORDER BY t.id) AS g
FROM tickets_opstask t JOIN sys s ON s.id = t.system_id;

INSERT INTO tickets_opstask_servers (opstask_id, server_id)
SELECT task.id, server.id FROM task JOIN cmdb_server server ON server.system_id = task.system_id
WHERE server.number = 1 + task.g %% 3;

INSERT INTO governance_approvalround (task_id, number, policy, plan_digest, status, created_at)
SELECT id, 1, 'bench', md5(id::text) || md5(g::text),
       CASE status WHEN 'PEN' THEN 'OPEN' WHEN 'REJ' THEN 'REJECTED' WHEN 'WDR' THEN 'VOID' WHEN 'INF' THEN 'VOID'
                   ELSE 'APPROVED' END, created_at
FROM task ORDER BY id;

CREATE TEMP TABLE asked AS
SELECT i.n AS inst_n, k, array_agg(p.id ORDER BY p.n) AS people
FROM inst i, generate_series(1, 5) k, person p
WHERE p.n IN (i.n + CASE WHEN k <= 3 THEN 0 ELSE %(institutions)s END, 401 + i.n %% 60, 461 + i.n %% 30)
GROUP BY i.n, k;

INSERT INTO governance_approvalstep (round_id, "order", role, requester_id, original_owner_id, approver_id,
  needs_reauthentication, is_automatic, findings, status, escalation_level, asked_at, due_at, decided_by_id, decided_at,
  decided_in, satisfied_by, digest_seen, comment)
SELECT r.id, o, (ARRAY['OWNER','PM','SECURITY_OFFICER'])[o], t.requester_id, asked.people[o], asked.people[o],
       false, false, '[]', st.status, 0, r.created_at,
       CASE WHEN st.status = 'PENDING' THEN now() + interval '1 day' END,
       CASE WHEN st.is_decided THEN asked.people[o] END, CASE WHEN st.is_decided THEN r.created_at END,
       CASE WHEN st.is_decided THEN 'portal' ELSE '' END, CASE WHEN st.is_decided THEN 'PERSON' ELSE '' END,
       CASE WHEN st.is_decided THEN r.plan_digest ELSE '' END, ''
FROM governance_approvalround r JOIN task t ON t.id = r.task_id JOIN asked ON asked.inst_n = t.inst_n AND asked.k = t.k,
generate_series(1, 3) o,
LATERAL (SELECT CASE
    WHEN r.status = 'APPROVED' OR r.status = 'OPEN' AND o <= t.g %% 3 THEN 'APPROVED'
    WHEN r.status = 'OPEN' AND o = t.g %% 3 + 1 THEN 'PENDING' WHEN r.status = 'OPEN' THEN 'WAITING'
    WHEN r.status = 'REJECTED' AND o = 1 THEN 'REJECTED' ELSE 'VOID' END) s (status),
LATERAL (SELECT s.status, s.status IN ('APPROVED','REJECTED') AS is_decided) st
ORDER BY r.id, o;

INSERT INTO execution_plan (task_id, playbook_id, digest, document, created_at)
SELECT r.task_id, (SELECT min(id) FROM execution_playbook), r.plan_digest, '{}', r.created_at
FROM governance_approvalround r JOIN task t ON t.id = r.task_id WHERE t.status IN ('PEN','APP','SCH','EXE');

INSERT INTO execution_run (task_id, plan_id, status, reason, held_at, held_because, started_at)
SELECT p.task_id, p.id, 'RUNNING', '', CASE WHEN t.g %% 4 = 0 THEN now() END,
       CASE WHEN t.g %% 4 = 0 THEN '변경 시간대가 닫혔습니다.' ELSE '' END, now()
FROM execution_plan p JOIN task t ON t.id = p.task_id WHERE t.status = 'EXE';

INSERT INTO execution_hostlock (server_id, run_id, taken_at)
SELECT DISTINCT ON (s.server_id) s.server_id, r.id, now()
FROM execution_run r JOIN tickets_opstask_servers s ON s.opstask_id = r.task_id ORDER BY s.server_id;

INSERT INTO notifications_notification (recipient_id, kind, values, link, dedup_key, created_at, read_at)
SELECT t.requester_id, 'task_completed', jsonb_build_object('task', 'OPS-' || t.g, 'title', '점검'), '/tasks/',
       'task_completed:bench:' || t.id, t.created_at, CASE WHEN t.g < %(tasks)s * 0.97 THEN t.created_at END
FROM task t WHERE t.status = 'COM' AND t.g > %(tasks)s / 2;

INSERT INTO notifications_notification (recipient_id, kind, values, link, dedup_key, created_at, read_at)
SELECT s.approver_id, 'approval_requested', jsonb_build_object('task', 'OPS-' || t.g, 'title', '점검'), '/inbox/',
       'approval_requested:bench:' || s.id, t.created_at, CASE WHEN s.status <> 'PENDING' THEN t.created_at END
FROM governance_approvalstep s JOIN governance_approvalround r ON r.id = s.round_id JOIN task t ON t.id = r.task_id
WHERE t.g > %(tasks)s * 0.9 AND s.asked_at IS NOT NULL;

DROP TABLE inst, person, sys, kind, draft, task, asked;
