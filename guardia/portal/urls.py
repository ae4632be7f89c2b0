from django.urls import path

from guardia.portal import account, acts, policies, standing, views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("tasks/", views.task_list, name="tasks"),
    path("tasks/new/", views.new_task, name="new"),
    path("tasks/<str:task_id>/", views.task_detail, name="task"),
    path("tasks/<str:task_id>/information/", acts.add_information_act, name="information"),
    path("tasks/<str:task_id>/decide/<int:step_pk>/", acts.decide_act, name="decide"),
    path("tasks/<str:task_id>/start/", acts.release_act, name="release"),
    path("tasks/<str:task_id>/validate/", acts.validate_act, name="validate"),
    path("tasks/<str:task_id>/plan.json", views.plan_document, name="plan"),
    path("tasks/<str:task_id>/result.json", views.result_document, name="result"),
    path("policies/", policies.policy_list, name="policies"),
    path("policies/new/", policies.propose, name="policy-new"),
    path("policies/<int:policy_pk>/change/", policies.propose, name="policy-change"),
    path("policies/changes/", policies.change_list, name="policy-changes"),
    path("policies/changes/<int:pk>/decide/", policies.decide_change, name="policy-decide"),
    path("systems/<int:system_pk>/approvals/", standing.preview, name="preview"),
    path("systems/<int:system_pk>/standing/", standing.give, name="standing-give"),
    path("systems/<int:system_pk>/standing/<int:standing_pk>/revoke/", standing.revoke, name="standing-revoke"),
    path("account/", account.account, name="account"),
    path("account/confirm/", account.confirm, name="confirm"),
    path("account/password/", account.password, name="password"),
    path("account/totp/", account.totp, name="totp"),
    path("account/totp/disable/", account.totp_disable, name="totp-disable"),
    path("account/totp/codes/", account.recovery_codes, name="recovery-codes"),
    path("account/sessions/<int:session_pk>/end/", account.end_session, name="end-session"),
    path("account/tokens/new/", account.new_token, name="new-token"),
    path("account/tokens/<int:token_pk>/revoke/", account.end_token, name="end-token"),
    path("messages/", views.message_list, name="messages"),
]
