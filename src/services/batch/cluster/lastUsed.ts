/** Values that are costly to make: the last few are kept, and any that is in use. */
export class LastUsed<T> {
  readonly #values = new Map<string, { readonly value: Promise<T>; users: number }>();

  /** @param drop hears of a value that is not kept any longer */
  constructor(
    private readonly most: number,
    private readonly drop: (value: T) => void = () => undefined,
  ) {}

  /** Has `work` done with the value of a key, made when it is not there; one that fails to be made is not kept. */
  async use<R>(key: string, make: () => Promise<T>, work: (value: T) => Promise<R>): Promise<R> {
    const entry = this.#values.get(key) ?? { value: make(), users: 0 };
    this.#values.delete(key);
    this.#values.set(key, entry);
    entry.users++;
    try {
      const value = await entry.value.catch((error: unknown) => {
        this.#values.delete(key);
        throw error;
      });
      return await work(value);
    } finally {
      entry.users--;
      this.#trim();
    }
  }

  #trim(): void {
    for (const [key, { value, users }] of this.#values) {
      if (this.#values.size <= this.most) return;
      if (users > 0) continue;
      this.#values.delete(key);
      void value.then(this.drop, () => undefined);
    }
  }
}
