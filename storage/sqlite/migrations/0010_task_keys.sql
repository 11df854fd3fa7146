-- Keys of tasks, of which one success is enough.

ALTER TABLE idempotency ADD COLUMN task_idx INTEGER; -- null: the key is of the run itself
CREATE INDEX idempotency_task ON idempotency (run_no, task_idx) WHERE task_idx IS NOT NULL;
