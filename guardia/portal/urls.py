from django.urls import path

from guardia.portal import acts, hours, hours_acts, views

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
    path("tasks/<str:task_id>/later/", hours_acts.run_later_act, name="later"),
    path("tasks/<str:task_id>/priority/", hours_acts.set_priority_act, name="priority"),
    path("tasks/<str:task_id>/exception/", hours_acts.request_exception_act, name="exception"),
    path("tasks/<str:task_id>/exception/<int:exception_pk>/", hours_acts.decide_exception_act, name="decide-exception"),
    path("tasks/<str:task_id>/resume/", hours_acts.resume_act, name="resume"),
    path("queue/", hours.queue, name="queue"),
    path("calendar/", hours.blackout_calendar, name="calendar"),
    path("messages/", views.message_list, name="messages"),
]
