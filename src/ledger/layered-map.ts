/**
 * A map that only grows, and of which every earlier version stays valid: a version is a few frozen layers, the newest
 * shadowing the older. Layers at least halve in size from the oldest on, so that adding one entry at a time copies each
 * entry O(log n) times and a lookup asks O(log n) layers, where copying the whole map per batch would be O(n).
 * Iterates in order of layers: the order is stable for one version, and means nothing.
 */
export class LayeredMap<K, V> implements ReadonlyMap<K, V> {
  readonly #layers: readonly ReadonlyMap<K, V>[];
  readonly size: number;

  private constructor(layers: readonly ReadonlyMap<K, V>[], size: number) {
    this.#layers = layers;
    this.size = size;
  }

  static empty<K, V>(): LayeredMap<K, V> {
    return new LayeredMap<K, V>([], 0);
  }

  get(key: K): V | undefined {
    for (let index = this.#layers.length - 1; index >= 0; index--) {
      const layer = this.#layers[index];
      const value = layer?.get(key);
      if (value !== undefined || layer?.has(key)) return value;
    }
    return undefined;
  }

  has(key: K): boolean {
    return this.#layers.some((layer) => layer.has(key));
  }

  /** The next version: `entries` over this one. Keeps the map it is given. */
  with(entries: ReadonlyMap<K, V>): LayeredMap<K, V> {
    if (entries.size === 0) return this;
    let added = 0;
    for (const key of entries.keys()) if (!this.has(key)) added += 1;
    const layers = [...this.#layers];
    let top = entries;
    for (let below = layers.at(-1); below !== undefined && below.size < 2 * top.size; below = layers.at(-1)) {
      top = merged(below, top);
      layers.pop();
    }
    return new LayeredMap([...layers, top], this.size + added);
  }

  edit(): LayeredEdit<K, V> {
    return new LayeredEdit(this);
  }

  *entries(): Generator<[K, V], undefined> {
    for (const [depth, layer] of this.#layers.entries()) {
      for (const [key, value] of layer) {
        if (!this.#isShadowed(key, depth)) yield [key, value];
      }
    }
    return undefined;
  }

  *keys(): Generator<K, undefined> {
    for (const [key] of this.entries()) yield key;
    return undefined;
  }

  *values(): Generator<V, undefined> {
    for (const [, value] of this.entries()) yield value;
    return undefined;
  }

  [Symbol.iterator](): Generator<[K, V], undefined> {
    return this.entries();
  }

  forEach(visit: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }

  #isShadowed(key: K, depth: number): boolean {
    for (let above = depth + 1; above < this.#layers.length; above++) {
      if (this.#layers[above]?.has(key)) return true;
    }
    return false;
  }
}

/** The changes of one batch over a `LayeredMap`, read through until `done` makes the next version. */
export class LayeredEdit<K, V> {
  readonly #base: LayeredMap<K, V>;
  readonly #changes = new Map<K, V>();

  constructor(base: LayeredMap<K, V>) {
    this.#base = base;
  }

  get(key: K): V | undefined {
    return this.#changes.get(key) ?? this.#base.get(key);
  }

  has(key: K): boolean {
    return this.#changes.has(key) || this.#base.has(key);
  }

  set(key: K, value: V): void {
    this.#changes.set(key, value);
  }

  done(): LayeredMap<K, V> {
    return this.#base.with(this.#changes);
  }
}

function merged<K, V>(older: ReadonlyMap<K, V>, newer: ReadonlyMap<K, V>): Map<K, V> {
  const all = new Map(older);
  for (const [key, value] of newer) all.set(key, value);
  return all;
}
