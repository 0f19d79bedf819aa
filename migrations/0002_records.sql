-- What PICSWeb sends us. Each record is one sealed JSON document (they hold health data and NI numbers);
-- the blind indexes are HMACs, so that a record can be found by ULN, or by name and birth date,
-- without either standing here. `version` is the ETag.
create table learners (
    provider_id uuid not null references providers on delete cascade,
    learner_id text not null,
    sealed bytea not null,
    uln_index bytea,
    person_index bytea,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (provider_id, learner_id)
);
create index learners_by_uln on learners (provider_id, uln_index) where uln_index is not null;
create index learners_by_person on learners (provider_id, person_index) where person_index is not null;
create index learners_by_update on learners (provider_id, updated_at);

create table officers (
    provider_id uuid not null references providers on delete cascade,
    officer_id text not null,
    sealed bytea not null,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (provider_id, officer_id)
);

create table organisations (
    provider_id uuid not null references providers on delete cascade,
    organisation_id text not null,
    sealed bytea not null,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (provider_id, organisation_id)
);
