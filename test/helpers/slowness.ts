/** How many times as long as usual all may take, under a sanitizer for one: IMAFS_TEST_SLOWNESS. */
export const SLOWNESS = Number(process.env['IMAFS_TEST_SLOWNESS'] ?? 1);
