-- Sharing groups and who is in them: a rider is in one group at a time. A move is an UPDATE of the rider's row.

CREATE TABLE reference.sharing_groups (
    group_id reference.identifier PRIMARY KEY,
    name reference.label NOT NULL
);

CREATE TABLE reference.group_members (
    rider_id reference.identifier CONSTRAINT a_rider_is_in_one_group PRIMARY KEY,
    group_id reference.identifier NOT NULL REFERENCES reference.sharing_groups
);

CREATE INDEX members_of_a_group ON reference.group_members (group_id);

-- A change tells the group that the rider left, which is not in the primary key.
ALTER TABLE reference.group_members REPLICA IDENTITY FULL;
