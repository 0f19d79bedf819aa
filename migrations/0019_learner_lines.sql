-- Learners as they are listed: with where each stands in ACE360 and in OneFile, in the environments that the settings name. PostgreSQL
-- puts the query in the place of the call, so that what is asked of it reaches the indexes.
create function learner_lines(provider_ uuid, after_ text, updated_after_ timestamptz)
returns table (learner_id text, updated_at timestamptz, ace360 text, onefile text, status_id integer, status_text text)
language sql stable as $$
    select r.record_id, r.updated_at,
           case when l.state is not null then l.state
                when i.state = 'sending' then 'uploading'
                when i.state in ('unknown', 'rejected') then i.state
                else 'notUploaded' end,
           case when o.state = 'gone' then 'gone' when e.state is not null then e.state
                when o.state is not null then 'enrolled' else 'notEnrolled' end,
           l.status_id, l.status_text
    from records r
    left join ace360_links l on l.provider_id = r.provider_id and l.learner_id = r.record_id
         and l.environment = (select ace360_environment(provider_))
    left join lateral (
        select state from intents where l.learner_id is null and provider_id = r.provider_id and upstream = 'ace360'
        and environment = (select ace360_environment(provider_)) and subject_kind = 'learner' and subject_id = r.record_id and step = 'apprentice'
        order by created_at desc, id desc limit 1
    ) i on true
    left join onefile_links o on o.provider_id = r.provider_id and o.kind = 'learner' and o.local_id = r.record_id
         and o.environment = (select onefile_environment(provider_))
    left join onefile_enrolments e on e.provider_id = r.provider_id and e.learner_id = r.record_id
         and e.environment = (select onefile_environment(provider_))
    where r.provider_id = provider_ and r.kind = 'learner' and (after_ is null or r.record_id > after_)
    and (updated_after_ is null or r.updated_at > updated_after_)
$$;
