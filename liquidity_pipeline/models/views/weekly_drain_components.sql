-- Weekly drains by component without the total, so that a sum over components counts nothing twice.
select drains.*, components.label
from marts.weekly_drains as drains
join meta.components as components using (component)
where drains.component <> 'total'
