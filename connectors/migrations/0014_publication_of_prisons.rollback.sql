DROP TRIGGER no_truncate ON reference.gl_accounts;
DROP TRIGGER no_truncate ON reference.officers;
DROP TRIGGER no_truncate ON reference.prisons;
ALTER PUBLICATION millrace_reference DROP TABLE reference.prisons, reference.officers, reference.gl_accounts;
