import { Redis } from 'ioredis';
import { BridgeError } from '../../../errors';
import type { Log } from '../../../log';
import { mismatch, type WorkKind } from './unitTask';

/** Every key of ours begins with it. */
export const KEY_PREFIX = 'sampo';
/** A notice that is not renewed for so long is gone, ms; it is renewed three times as often. */
const NOTICE_LIFE = 15_000;
/** A lost connection is tried again after at most so long, ms. */
const MOST_PAUSE = 3000;

/** What a server or a worker says of itself to the others. */
export interface Notice {
  readonly kind: WorkKind;
  /** Machine and process, for people. */
  readonly name: string;
  /** What keeps it from working; empty otherwise. */
  readonly trouble: string;
}

/** The address of a queue without what is secret in it. @throws BridgeError `InvalidParams` for what is no address */
export function queueAddress(url: string): string {
  const { protocol, host, pathname } = parsed(url);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}

/** A text, such as an error's, without the password and the user of an address. */
export function withoutSecrets(text: string, url: string): string {
  const { username, password } = parsed(url);
  return [password, decoded(password), username, decoded(username)]
    .filter((secret) => secret !== '')
    .reduce((clean, secret) => clean.replaceAll(secret, '…'), text);
}

/** One process's connections to a Redis or Valkey server, which come back by themselves, and its notices there. */
export class RedisLink {
  /** As people may see it. */
  readonly address: string;
  readonly main: Redis;
  readonly #opened: Redis[] = [];
  /** Tells the others at once what has changed of the notice. */
  renew: () => void = () => undefined;
  #renewing: NodeJS.Timeout | undefined;
  #noticeKey: string | undefined;
  #trouble = '';

  /** @throws BridgeError `InvalidParams` */
  constructor(
    private readonly url: string,
    private readonly log: Log,
  ) {
    this.address = queueAddress(url);
    this.main = this.another();
    this.main.on('error', (error: Error) => this.#say(withoutSecrets(error.message, url)));
    this.main.on('ready', () => this.#say(''));
  }

  /** Why the connection is lost; empty while it stands. */
  get trouble(): string {
    return this.#trouble;
  }

  /** A connection more: those that wait for news cannot be shared. */
  another(): Redis {
    const client = new Redis(this.url, {
      // Commands wait for a lost connection instead of failing: BullMQ wants it so, and a job outlives a restart of Redis.
      maxRetriesPerRequest: null,
      // The replies that BullMQ was written for; servers before 6.0 know no other.
      protocol: 2,
      retryStrategy: (times) => Math.min(MOST_PAUSE, 100 * times),
      // What is lost on the way is the caller's to repeat; a blocked command must not outlive its connection.
      connectTimeout: 5000,
    });
    return this.#kept(client);
  }

  /** Has a connection, and what BullMQ makes of it, end with the link: left alone, they would try to connect for ever. */
  #kept(client: Redis): Redis {
    const duplicate = client.duplicate.bind(client);
    client.duplicate = (options) => this.#kept(duplicate(options));
    // An unheard error event would end the process; the first connection's are told.
    client.on('error', () => undefined);
    this.#opened.push(client);
    return client;
  }

  /**
   * Resolves when the server answers. @param ms how long it may take
   * @throws BridgeError `QueueUnavailable` with what was met
   */
  async ready(ms: number): Promise<void> {
    const start = Date.now();
    for (;;) {
      if (this.main.status === 'ready') return;
      if (
        /WRONGPASS|NOAUTH|invalid.*password|without any password/i.test(this.#trouble) ||
        Date.now() - start > ms
      )
        throw new BridgeError(
          'QueueUnavailable',
          `${this.address} cannot be used: ${this.#trouble === '' ? 'no answer' : this.#trouble}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Tells the others who is here, until `close`. */
  announce(role: 'worker' | 'server', id: string, notice: () => Notice): void {
    this.#noticeKey = `${KEY_PREFIX}:${role}:${id}`;
    this.renew = (): void => {
      if (this.main.status !== 'ready') return;
      this.main.set(this.#noticeKey!, JSON.stringify(notice()), 'PX', NOTICE_LIFE).catch(() => undefined); // lost on the way: the next one follows
    };
    this.main.on('ready', () => this.renew());
    this.renew();
    this.#renewing = setInterval(() => this.renew(), NOTICE_LIFE / 3);
    this.#renewing.unref();
  }

  /** Who has said of himself lately that he is here. */
  async present(role: 'worker' | 'server'): Promise<Notice[]> {
    if (this.main.status !== 'ready') return [];
    const keys: string[] = [];
    let cursor = '0';
    do {
      const [next, found] = await this.main.scan(cursor, 'MATCH', `${KEY_PREFIX}:${role}:*`, 'COUNT', 1000);
      keys.push(...found);
      cursor = next;
    } while (cursor !== '0');
    if (keys.length === 0) return [];
    const texts = await this.main.mget([...new Set(keys)]);
    return texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as Notice]));
  }

  async close(): Promise<void> {
    clearInterval(this.#renewing);
    if (this.#noticeKey !== undefined && this.main.status === 'ready')
      await this.main.del(this.#noticeKey).catch(() => undefined);
    for (const client of this.#opened) client.disconnect();
  }

  #say(trouble: string): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.log(
      trouble === '' ? `connected to ${this.address}` : `${this.address} cannot be reached: ${trouble}`,
    );
  }
}

/** What a worker says once of each server whose units it does not take. */
export function refusals(own: WorkKind, servers: readonly Notice[]): string[] {
  return servers.flatMap(({ kind, name }) => {
    const why = mismatch(own, kind);
    return why === undefined ? [] : [`takes no work of the server ${name}: ${why}`];
  });
}

function parsed(url: string): URL {
  const refuse = (why: string): BridgeError =>
    new BridgeError('InvalidParams', `the address of the queue ${why}`, {
      hint: 'it is redis://HOST:PORT, or rediss://USER:PASSWORD@HOST:PORT with TLS',
    });
  if (!URL.canParse(url)) throw refuse('is no URL');
  const address = new URL(url);
  if (!['redis:', 'rediss:'].includes(address.protocol))
    throw refuse(`begins with ${address.protocol}, not with redis: or rediss:`);
  return address;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
