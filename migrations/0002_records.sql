-- What PICSWeb sends us: learners, officers, organisations. Each record is one sealed JSON document (they hold
-- health data and NI numbers); the blind indexes are HMACs, so that a learner can be found by ULN, or by name
-- and birth date, without either standing here. `version` counts the writes.
create table records (
    provider_id uuid not null references providers on delete cascade,
    kind text not null check (kind in ('learner', 'officer', 'organisation')),
    record_id text not null,
    sealed bytea not null,
    uln_index bytea,
    person_index bytea,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (provider_id, kind, record_id)
);
create index records_by_uln on records (provider_id, uln_index) where uln_index is not null;
create index records_by_person on records (provider_id, person_index) where person_index is not null;
