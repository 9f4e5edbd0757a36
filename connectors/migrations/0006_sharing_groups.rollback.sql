DROP TABLE reference.group_members;
DROP TABLE reference.sharing_groups;
