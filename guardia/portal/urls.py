from django.urls import path

from guardia.portal import acts, views

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
    path("messages/", views.message_list, name="messages"),
]
