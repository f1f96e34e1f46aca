const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const SCALAR = new RegExp(`${STRING.source}|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?|true|false|null`, "uy");
const OBJECT = /\{/y;
const ARRAY = /\[/y;
const OBJECT_END = /\}/y;
const ARRAY_END = /\]/y;
const COLON = /:/y;
const COMMA = /,/y;

/**
 * Where text stops being JSON: the offset of the first token that may not stand where it does, the length of the text where it ends too early.
 * JSON.parse says that in some of its messages, and not in others.
 */
export function jsonFault(text: string): number {
  let at = 0;
  const take = (token: RegExp): boolean => {
    token.lastIndex = at;
    if (!token.test(text)) return false;
    at = token.lastIndex;
    return true;
  };
  const next = (token: RegExp): boolean => take(SPACE) && take(token);
  const key = (): boolean => next(STRING) && next(COLON);

  const ends: RegExp[] = [];
  for (;;) {
    if (next(OBJECT)) {
      if (!next(OBJECT_END)) {
        if (!key()) return at;
        ends.push(OBJECT_END);
        continue;
      }
    } else if (next(ARRAY)) {
      if (!next(ARRAY_END)) {
        ends.push(ARRAY_END);
        continue;
      }
    } else if (!next(SCALAR)) return at;
    while (ends.length > 0 && next(ends[ends.length - 1])) ends.pop();
    if (ends.length === 0 || !next(COMMA)) {
      take(SPACE);
      return at;
    }
    if (ends[ends.length - 1] === OBJECT_END && !key()) return at;
  }
}

/** An offset as people count: `line 3, column 14`. */
export function lineAndColumn(text: string, offset: number): string {
  const lines = text.slice(0, offset).split("\n");
  return `line ${lines.length}, column ${lines[lines.length - 1].length + 1}`;
}
