// What a pickle is read into. Nothing here has behaviour: a class of Python is a name, an object what was said of it.

/** Numbers beyond 2^53 are bigint; an object is one of the classes below, or of those that the globals make. */
export type PickleValue = null | boolean | number | bigint | string | object;

export class PickleTuple {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** A list or a set. */
export class PickleList {
  readonly items: PickleValue[] = [];
}

/** A dictionary of any class, in the order of its keys. */
export class PickleDict {
  readonly entries: Map<PickleValue, PickleValue> = new Map();
  /** Attributes of the object beside its entries. */
  state: PickleValue = null;
}

/** An object of which its attributes are of interest. */
export class PickleObject {
  state: PickleValue = null;
}

/** A value that is of no interest: a device, a random state, bytes. */
export class PickleOpaque {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

/** Where a call stands in a pickle. */
export interface PickleCall {
  readonly offset: number;
  /** Stands before messages. */
  readonly where: string;
  /** Must be told what the call copies: arguments may be remembered, and given again and again. */
  spend(units: number): void;
}

export type PickleFunction = (args: readonly PickleValue[], at: PickleCall) => PickleValue;

/** A name on the allow-list. */
export class PickleGlobal {
  readonly name: string;
  /** What calling it gives; without it, a call is refused. */
  readonly call: PickleFunction | undefined;

  constructor(name: string, call?: PickleFunction) {
    this.name = name;
    this.call = call;
  }
}
