/** The file changed while it was read: what was read of it is of no version. */
export class FileMoved extends Error {
  constructor() {
    super('the file changed while it was read');
  }
}
