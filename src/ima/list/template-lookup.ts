import { type Template, templateOfLine } from '../template/template.js';

/** Looks up the templates that the lines of a list name; each name once. */
export function templateLookup(): (name: string) => Template | undefined {
  const known = new Map<string, Template | undefined>();
  return (name) => {
    if (!known.has(name)) known.set(name, templateOfLine(name));
    return known.get(name);
  };
}
