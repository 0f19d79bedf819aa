-- What is stored about OneFile.

-- A provider's settings. A provider without a row has the defaults.
create table onefile_settings (
    provider_id uuid primary key references providers on delete cascade,
    enabled boolean not null default false,
    environment text not null default 'live'
        check (environment in ('live', 'practice', 'beta', 'sandbox')),
    -- The customer token.
    sealed_token bytea,
    upload_reviews boolean not null default false,
    download_reviews boolean not null default false,
    -- The kind of visit that an uploaded review becomes.
    visit_type text not null default 'notSpecified'
        check (visit_type in ('notSpecified', 'remoteSession', 'faceToFace')),
    -- Roles, as PICSWeb names them. A learner's officers in these roles become additional
    -- assessors.
    additional_assessors text[] not null default '{}',
    -- Whether a learner's Main Tag names the classroom, and whether a classroom that is missing is
    -- created.
    classroom_from_main_tag boolean not null default false,
    create_missing_classrooms boolean not null default false,
    -- The classroom of learners without another one: where the provider has one centre, and by
    -- centre (an object from centre id to classroom id).
    default_classroom_id text,
    default_classrooms jsonb not null default '{}',
    -- The direction in which details are copied.
    learner_demographics text not null default 'ignored'
        check (learner_demographics in ('ignored', 'pushed', 'pulled')),
    officer_demographics text not null default 'ignored'
        check (officer_demographics in ('ignored', 'pushed', 'pulled')),
    organisation_demographics text not null default 'ignored'
        check (organisation_demographics in ('ignored', 'pushed', 'pulled')),
    -- Whether a learner's new main officer or placement is sent to OneFile.
    push_changes boolean not null default false,
    -- Whether PICS Desktop's own integration with OneFile is still on.
    desktop_integration text not null default 'never'
        check (desktop_integration in ('never', 'active', 'off')),
    daily_enabled boolean not null default true,
    -- Local time in Europe/London.
    daily_at time not null default '05:00',
    -- Every learner is read in full at least every so many days.
    full_sweep_days integer not null default 7 check (full_sweep_days between 1 and 31),
    -- Counts the writes: the settings' ETag.
    version bigint not null default 1,
    -- The end of the last exchange with all learners.
    last_synced_at timestamptz,
    -- The beginning of that exchange, and its environment. The next one asks for what changed
    -- since then.
    exchange_began timestamptz,
    exchange_environment text,
    -- The outcome of the last call: `ok`, or a problem code.
    connection text,
    connection_at timestamptz,
    updated_at timestamptz not null
);

-- OneFile's sessions, which all processes share. The holder of the claim authenticates, and the
-- others wait.
create table onefile_sessions (
    -- HMAC of the address and the customer token.
    account bytea primary key,
    -- The session's token.
    sealed bytea,
    opened_at timestamptz,
    -- Counts the sessions. A session that OneFile refuses is renewed once, however many calls it
    -- refused.
    version bigint not null default 0,
    claim uuid,
    claimed_until timestamptz,
    -- Sessions that nobody renews are deleted.
    touched_at timestamptz not null
);

-- OneFile's centres, classrooms, assessors and placements, as they were last read. Records are
-- linked to these.
create table onefile_directory (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    kind text not null check (kind in ('centre', 'classroom', 'assessor', 'placement')),
    -- A centre's own id, or the id of the centre that the entry belongs to.
    centre_id text collate "C" not null,
    remote_id text collate "C" not null,
    -- An assessor's role in OneFile: 4 trainee, 5 assessor.
    role integer,
    archived boolean not null default false,
    -- OneFile's MIS value: PICSWeb's id, where somebody entered it.
    mis_index bytea,
    -- Names, e-mail address, MIS value.
    sealed bytea not null,
    refreshed_at timestamptz not null,
    primary key (provider_id, environment, kind, remote_id)
);
create index onefile_directory_by_mis on onefile_directory (provider_id, environment, kind, mis_index)
    where mis_index is not null;

-- When each part of the directory was last read in full, and who is reading it now.
create table onefile_refreshes (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    -- A kind of the directory, or `standard` for all learning aims.
    kind text not null,
    refreshed_at timestamptz,
    -- Rows that could not be read, because they have no id.
    unreadable integer not null default 0,
    claim uuid,
    claimed_until timestamptz,
    primary key (provider_id, environment, kind)
);

-- OneFile's learning aims by centre, as they were last read. VQ references are matched with them.
create table onefile_standards (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    centre_id text collate "C" not null,
    standard_id text collate "C" not null,
    title text not null,
    -- The code as OneFile writes it, and in the form that is compared.
    code text,
    code_key text,
    archived boolean not null default false,
    -- When the title, the code or the archive mark last changed.
    changed_at timestamptz not null,
    -- The beginning of the refresh that saw the aim last.
    seen_at timestamptz not null,
    primary key (provider_id, environment, centre_id, standard_id)
);
create index onefile_standards_by_code on onefile_standards (provider_id, environment, code_key)
    where code_key is not null;

-- Which OneFile entry belongs to which record: an assessor to an officer, a placement to an
-- organisation, a user to a learner.
create table onefile_links (
    id uuid primary key,
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    kind text not null check (kind in ('officer', 'organisation', 'learner')),
    -- PICSWeb's id.
    local_id text collate "C" not null,
    centre_id text collate "C" not null,
    -- OneFile's id.
    remote_id text collate "C" not null,
    -- `matched`: an enrolment found the entry by an id.
    method text not null check (method in ('manual', 'imported', 'created', 'matched')),
    state text not null default 'linked' check (state in ('linked', 'archived', 'gone')),
    -- The name in OneFile.
    sealed bytea not null,
    created_at timestamptz not null,
    -- The claim of who exchanges the learner now.
    exchanging uuid,
    exchanging_until timestamptz,
    -- When the details of an officer or organisation were last compared.
    exchanged_at timestamptz,
    -- A record has one partner in each centre.
    constraint onefile_links_local unique (provider_id, environment, kind, local_id, centre_id)
);
-- An entry is linked once. Assessors and learners are both users in OneFile, and share their ids.
create unique index onefile_links_remote
    on onefile_links (provider_id, environment, (kind = 'organisation'), remote_id);
-- A learner has one user in all centres.
create unique index onefile_links_learner on onefile_links (provider_id, environment, local_id)
    where kind = 'learner';
create index onefile_links_listed on onefile_links (provider_id, environment, id);

-- A learner's enrolment in OneFile: several creations in order, each with its own intent.
create table onefile_enrolments (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    learner_id text collate "C" not null,
    centre_id text collate "C" not null,
    state text not null
        check (state in ('enrolling', 'incomplete', 'unknown', 'rejected', 'enrolled')),
    -- What was asked for.
    sealed_order bytea not null,
    -- Each step: its state, OneFile's id, and the problem if there is one.
    sealed_steps bytea not null,
    -- The claim of who works on it now.
    worker uuid,
    worker_until timestamptz,
    -- When the service continues the enrolment by itself.
    resume_at timestamptz,
    requested_by text not null,
    run_id uuid,
    started_at timestamptz not null,
    -- When every step was done.
    enrolled_at timestamptz,
    primary key (provider_id, environment, learner_id)
);
create index onefile_enrolments_to_resume on onefile_enrolments (resume_at)
    where resume_at is not null;
create index onefile_enrolments_at_work on onefile_enrolments (worker_until)
    where worker is not null;

-- What OneFile had about a learner at the last exchange.
create table onefile_portfolios (
    provider_id uuid not null references providers on delete cascade,
    environment text not null,
    learner_id text collate "C" not null,
    -- Learning aims with their counts, reviews with their ids.
    sealed bytea not null,
    exchanged_at timestamptz,
    -- When the learner was last read in full.
    swept_at timestamptz,
    -- Why the last exchange failed. Null: it did not.
    sealed_problem bytea,
    primary key (provider_id, environment, learner_id)
);

-- The learners that an exchange run has still to do. The transaction that stores a learner's
-- outcome deletes the row.
create table onefile_exchange_work (
    run_id uuid not null references runs on delete cascade,
    learner_id text collate "C" not null,
    -- OneFile's id of the learner.
    user_id text collate "C" not null,
    centre_id text collate "C" not null,
    -- What OneFile's searches said: the user exists, is archived, has changed, and which of the
    -- user's learning aims have changed.
    seen boolean not null default false,
    archived boolean not null default false,
    changed boolean not null default false,
    aims text[] not null default '{}',
    -- Why the learner is exchanged. Null: not decided yet.
    reason text,
    -- Learners with a low number are exchanged first.
    turn smallint not null default 0,
    -- Calls that the exchange probably takes.
    calls integer not null default 0,
    primary key (run_id, learner_id)
);
create index onefile_exchange_work_users on onefile_exchange_work (run_id, user_id);
create index onefile_exchange_work_turns on onefile_exchange_work (run_id, turn, learner_id)
    where reason is not null;
