from django.urls import path

from guardia.portal import account, acts, change_acts, hand_acts, views

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
    path("tasks/<str:task_id>/changes/<int:revision>/", change_acts.review_act, name="review-change"),
    path("tasks/<str:task_id>/changes/<int:revision>.diff", change_acts.change_diff, name="change"),
    path("tasks/<str:task_id>/take-over/", hand_acts.take_over_act, name="take-over"),
    path("tasks/<str:task_id>/record/", hand_acts.record_act, name="record"),
    path("tasks/<str:task_id>/close/", hand_acts.close_act, name="close"),
    path("tasks/<str:task_id>/not-done/", hand_acts.not_done_act, name="not-done"),
    path("tasks/<str:task_id>/plan-again/", hand_acts.plan_again_act, name="plan-again"),
    path("tasks/<str:task_id>/evidence/<int:pk>/", hand_acts.evidence_file, name="evidence"),
    path("tasks/<str:task_id>/plan.json", views.plan_document, name="plan"),
    path("tasks/<str:task_id>/result.json", views.result_document, name="result"),
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
