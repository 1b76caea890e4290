-- The user that an action concerns: the target itself, or the owner of the key. For erasure and export.
ALTER TABLE admin_audit ADD COLUMN user_id text;

CREATE INDEX admin_audit_user ON admin_audit (user_id, id) WHERE user_id IS NOT NULL;
