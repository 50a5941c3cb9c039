import Ajv2020, { type ErrorObject, type ValidateFunction } from 'ajv/dist/2020';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BridgeError, type ErrorName } from '../errors';

/** One method file of `schemas/methods`. */
export interface MethodSchema {
  readonly method: string;
  readonly direction: 'client-to-server' | 'server-to-client' | 'both';
  readonly kind: 'request' | 'notification';
  readonly summary: string;
  readonly params: object;
  readonly result?: object;
  readonly errors: readonly string[];
}

/** One misfit of a message: where (RFC 6901 pointer), and what was wanted there. */
export interface Problem {
  readonly pointer: string;
  readonly expected: string;
}

/** Escapes a member's name for a JSON pointer (RFC 6901, section 3). */
function escape(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

const MISSING = 'a value: the member is required';
const NO_SHAPE = 'must match exactly one schema in oneOf';

function problemOf(error: ErrorObject): Problem {
  const params = error.params as Record<string, unknown>;
  const name = params['additionalProperty'] ?? params['unevaluatedProperty'];
  if (typeof name === 'string')
    return { pointer: `${error.instancePath}/${escape(name)}`, expected: 'no such member' };
  if (error.keyword === 'required')
    return {
      pointer: `${error.instancePath}/${escape(String(params['missingProperty']))}`,
      expected: MISSING,
    };
  if (error.keyword === 'enum')
    return { pointer: error.instancePath, expected: `one of ${JSON.stringify(params['allowedValues'])}` };
  if (error.keyword === 'const')
    return { pointer: error.instancePath, expected: JSON.stringify(params['allowedValue']) };
  return { pointer: error.instancePath, expected: error.message ?? error.keyword };
}

/**
 * The contract compiled: every schema of the package, ready to check messages. Schemas are compiled once, at start.
 */
export class Contract {
  readonly methods: ReadonlyMap<string, MethodSchema>;
  private readonly params = new Map<string, ValidateFunction>();
  private readonly results = new Map<string, ValidateFunction>();

  /** @param folder the package's `schemas` folder */
  constructor(folder: string) {
    const read = (path: string): object => JSON.parse(readFileSync(join(folder, path), 'utf8')) as object;
    const ajv = new Ajv2020({
      allErrors: false,
      useDefaults: true,
      strict: true,
      strictRequired: false,
      allowUnionTypes: true,
    });
    ajv.addSchema(read('common.json'));
    const methods = new Map<string, MethodSchema>();
    for (const file of readdirSync(join(folder, 'methods')).sort()) {
      const schema = read(join('methods', file)) as MethodSchema;
      const base = `methods/${file}`;
      methods.set(schema.method, schema);
      this.params.set(schema.method, ajv.compile({ ...schema.params, $id: `${base}-params` }));
      if (schema.result)
        this.results.set(schema.method, ajv.compile({ ...schema.result, $id: `${base}-result` }));
    }
    this.methods = methods;
  }

  /** Checks params and fills in defaults. @throws BridgeError InvalidParams with `problems` (pointer, expected). */
  checkParams(method: string, params: unknown): void {
    this.check(this.params.get(method), params, 'InvalidParams', `params of ${method}`);
  }

  /** Checks a result that came from the other side. @throws BridgeError ClientFailed with `problems`. */
  checkResult(method: string, result: unknown): void {
    this.check(this.results.get(method), result, 'ClientFailed', `result of ${method}`);
  }

  private check(
    validate: ValidateFunction | undefined,
    value: unknown,
    errorName: ErrorName,
    what: string,
  ): void {
    if (!validate || validate(value)) return;
    const problems = (validate.errors ?? []).slice(0, 8).map(problemOf);
    // Of several shapes, the one that has the members is the one that was meant.
    const first =
      problems.find(({ expected }) => expected !== MISSING && expected !== NO_SHAPE) ?? problems[0];
    throw new BridgeError(
      errorName,
      `${what}: ${first?.pointer ? `${first.pointer} ` : ''}${first?.expected ?? 'does not fit'}`,
      { problems },
    );
  }
}
