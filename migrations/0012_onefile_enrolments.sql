-- Enrolments in OneFile: several creations, one after the other, each by an intent of its own. What is sealed: what was asked,
-- and of each step where it stands and what OneFile said of it.
create table onefile_enrolments (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    learner_id text collate "C" not null,
    centre_id text not null,
    state text not null check (state in ('enrolling', 'incomplete', 'unknown', 'rejected', 'enrolled')),
    sealed_order bytea not null,
    sealed_steps bytea not null,
    -- Who works at it, and until when nobody else does.
    worker uuid,
    worker_until timestamptz,
    -- When it is taken up again without anybody asking.
    resume_at timestamptz,
    requested_by text not null,
    run_id uuid,
    started_at timestamptz not null,
    enrolled_at timestamptz,
    primary key (provider_id, environment, learner_id)
);
create index onefile_enrolments_to_resume on onefile_enrolments (resume_at) where resume_at is not null;
create index onefile_enrolments_at_work on onefile_enrolments (worker_until) where worker is not null;

-- What OneFile had of a learner when it was read last, sealed: learning aims with their counts, reviews with their ids.
create table onefile_portfolios (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    learner_id text collate "C" not null,
    sealed bytea not null,
    -- When it was exchanged last, and when it was read whole last.
    exchanged_at timestamptz,
    swept_at timestamptz,
    -- Why the last exchange of this learner did not work; sealed. Null: it did.
    sealed_problem bytea,
    primary key (provider_id, environment, learner_id)
);

-- An enrolment links those whom it finds by an id.
alter table onefile_links drop constraint onefile_links_method_check;
alter table onefile_links add constraint onefile_links_method_check check (method in ('manual', 'imported', 'created', 'matched'));

create function onefile_environment(provider uuid) returns text language plpgsql stable parallel safe
    as $$ begin return coalesce((select environment from onefile_settings where provider_id = provider), 'live'); end $$;
