/** Why a file is not done as it should; the others are. The message follows the file's name. */
export class FileProblem extends Error {}
