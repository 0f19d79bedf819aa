-- Who is overdue is found by the index of the open ones (intents_one_open): there are few, and each of these two cost every upload.
drop index intents_due;
drop index intents_to_look;
