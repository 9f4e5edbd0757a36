drop schema sink cascade;
