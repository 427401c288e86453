/** Prefix of everything that is ours: commands, ids, keys of the state database. */
export const ID = 'face-workbench';
export const DOMAIN = 'face_workbench';
