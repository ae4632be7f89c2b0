from django.urls import path

from guardia.portal import absence, acts, approval_acts, inbox, views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("tasks/", views.task_list, name="tasks"),
    path("tasks/new/", views.new_task, name="new"),
    path("tasks/<str:task_id>/", views.task_detail, name="task"),
    path("tasks/<str:task_id>/information/", acts.add_information_act, name="information"),
    path("tasks/<str:task_id>/decide/<int:step_pk>/", acts.decide_act, name="decide"),
    path("tasks/<str:task_id>/validate/", acts.validate_act, name="validate"),
    path("tasks/<str:task_id>/withdraw/", approval_acts.withdraw_act, name="withdraw"),
    path("tasks/<str:task_id>/resubmit/", approval_acts.resubmit_act, name="resubmit"),
    path("tasks/<str:task_id>/answer/", approval_acts.answer_act, name="answer"),
    path("tasks/<str:task_id>/ask/<int:step_pk>/", approval_acts.ask_act, name="ask"),
    path("tasks/<str:task_id>/reassign/<int:step_pk>/", approval_acts.reassign_act, name="reassign"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/approve/", inbox.approve_many, name="approve-many"),
    path("absence/", absence.own_absences, name="absence"),
    path("absence/<int:absence_pk>/end/", absence.end_act, name="end-absence"),
    path("authority/", absence.authority, name="authority"),
    path("tasks/<str:task_id>/plan.json", views.plan_document, name="plan"),
    path("tasks/<str:task_id>/result.json", views.result_document, name="result"),
    path("messages/", views.message_list, name="messages"),
]
