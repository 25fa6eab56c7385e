"""The pages about uploads and jobs, and the local storage's two addresses."""

from django.urls import include, path

from annotations.storage import views as storage
from annotations.views import jobs, uploads

app_name = "annotations"
urlpatterns = [
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/new/", uploads.new, name="new"),
    path("jobs/samples/<str:name>/", uploads.sample, name="sample"),
    path("jobs/uploads/", uploads.begin, name="begin_upload"),
    path("jobs/submit/", uploads.submit, name="submit"),
    path("jobs/<uuid:job_id>/", jobs.job, name="job"),
    path("jobs/<uuid:job_id>/status/", jobs.job_status, name="job_status"),
    path("jobs/<uuid:job_id>/cancel/", jobs.cancel_job, name="cancel_job"),
    path("jobs/<uuid:job_id>/retry/", jobs.retry_job, name="retry_job"),
    path("jobs/<uuid:job_id>/anew/", jobs.annotate_anew, name="annotate_anew"),
    path("jobs/<uuid:job_id>/delete/", jobs.delete_job, name="delete_job"),
    path("jobs/<uuid:job_id>/log/", jobs.job_log, name="job_log"),
    path("jobs/<uuid:job_id>/provenance/", jobs.job_provenance, name="job_provenance"),
    path("jobs/<uuid:job_id>/files/<slug:kind>/", jobs.job_file, name="job_file"),
    path("", include("annotations.sharing.urls")),
    path("jobs/<uuid:job_id>/result/", include("annotations.results.urls")),
    path("storage/upload/", storage.receive_upload, name="receive_upload"),
    path("storage/part/", storage.receive_part, name="receive_part"),
    path("storage/download/", storage.download, name="download"),
]
