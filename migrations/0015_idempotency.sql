-- Answers to calls that came with an Idempotency-Key, for a day. The key is hashed: it may say anything. `about` is the learner whose
-- erasure takes the answer along; '*': it may tell of any.
create table idempotency_keys (
    provider_id uuid not null references providers on delete cascade,
    token_id uuid not null,
    key_hash bytea not null,
    request_hash bytea not null,
    -- What is made for this key gets this id, so that the same call made again after a process died makes it once.
    derived_id uuid not null,
    -- Who is at it, and until when nobody else is; null: there is an answer.
    claim uuid,
    claimed_until timestamptz,
    status integer,
    -- Null, with a status: the answer showed a secret once.
    sealed_answer bytea,
    about text,
    created_at timestamptz not null,
    primary key (provider_id, token_id, key_hash)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
