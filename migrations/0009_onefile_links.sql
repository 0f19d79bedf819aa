-- Which of OneFile's records is which of ours: officers' assessors, organisations' placements, learners' users. The sealed
-- document holds the name there.
create table onefile_links (
    id uuid primary key,
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    kind text not null check (kind in ('officer', 'organisation', 'learner')),
    local_id text collate "C" not null,
    centre_id text not null,
    remote_id text collate "C" not null,
    method text not null check (method in ('manual', 'imported', 'created')),
    state text not null default 'linked' check (state in ('linked', 'archived', 'gone')),
    sealed bytea not null,
    created_at timestamptz not null,
    -- One of ours has one partner in each centre.
    constraint onefile_links_local unique (provider_id, environment, kind, local_id, centre_id)
);
-- One of OneFile's is linked once. Assessors and learners are both its users, and share their numbers.
create unique index onefile_links_remote on onefile_links (provider_id, environment, (kind = 'organisation'), remote_id);
-- A learner has one user in all.
create unique index onefile_links_learner on onefile_links (provider_id, environment, local_id) where kind = 'learner';
create index onefile_links_listed on onefile_links (provider_id, environment, id);
