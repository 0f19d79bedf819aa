-- OneFile's learning aims as they were read last, by centre: what VQ references are matched with. When all were read whole
-- stands in `onefile_refreshes` under the kind `standard`.
create table onefile_standards (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    centre_id text collate "C" not null,
    standard_id text collate "C" not null,
    title text not null,
    -- The code as it is written, and as it is compared.
    code text,
    code_key text,
    archived boolean not null default false,
    -- When its title, code or archive mark was another for the last time.
    changed_at timestamptz not null,
    -- The beginning of the refresh that saw it last.
    seen_at timestamptz not null,
    primary key (provider_id, environment, centre_id, standard_id)
);
create index onefile_standards_by_code on onefile_standards (provider_id, environment, code_key) where code_key is not null;

-- Why somebody did what is not done otherwise, and who it was, where the token is a system's.
alter table audit add column reason text, add column person text;
