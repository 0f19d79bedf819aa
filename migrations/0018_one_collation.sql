-- Ids are compared byte by byte, whatever language a database was made with. They were so in some tables and not in others, and
-- an index is no use for a join over two collations: each learner's record was looked for among all of the provider's.
alter table records alter column record_id type text collate "C", alter column refers_to type text collate "C";
alter table ace360_links alter column learner_id type text collate "C";
alter table ace360_history alter column learner_id type text collate "C";
alter table onefile_links alter column centre_id type text collate "C";
alter table onefile_directory alter column centre_id type text collate "C";
alter table onefile_enrolments alter column centre_id type text collate "C";
alter table onefile_exchange_work alter column centre_id type text collate "C";
alter table intents alter column subject_id type text collate "C";
alter table run_records alter column subject_id type text collate "C";
alter table changes alter column subject_id type text collate "C";
alter table audit alter column subject_id type text collate "C";
