/** What an app's source may come to, unpacked: an archive of a few MB may hold terabytes. */
export const SOURCE_BYTES_MAX = 1024 ** 3;
export const SOURCE_ENTRIES_MAX = 500_000;
