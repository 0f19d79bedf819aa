-- Which records of ours are which of OneFile's.
create table onefile_links (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    kind text not null check (kind in ('officer', 'organisation', 'learner')),
    local_id text not null,
    centre_id text not null,
    remote_id text not null,
    state text not null check (state in ('linked', 'gone')),
    primary key (provider_id, environment, kind, local_id, centre_id)
);
