-- Who of the registrations alive at the end of 2013-11-30 (day 60 of 2013J) withdrew within 30, 60 and 90 days.
select
  concat_ws('-', code_module, code_presentation, id_student) as customer_id,
  cast(coalesce(date_unregistration <= 90, false) as integer) as churn_30,
  cast(coalesce(date_unregistration <= 120, false) as integer) as churn_60,
  cast(coalesce(date_unregistration <= 150, false) as integer) as churn_90
from read_csv('${LOYALCAST_REAL_DATA:-../../../shared/data}/oulad_2013/student_registration.csv.gz')
where code_presentation = '2013J'
  and coalesce(date_registration, 0) <= 60
  and (date_unregistration is null or date_unregistration > 60)
order by customer_id
