import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';

interface Jsts {
  readonly io: { readonly GeoJSONReader: new () => { read(geometry: object): unknown } };
  readonly operation: {
    readonly valid: {
      readonly IsValidOp: new (geometry: unknown) => {
        isValid(): boolean;
        getValidationError(): { getMessage(): string };
      };
    };
  };
}

// The package is an ES module around a UMD bundle that jest cannot require; the bundle runs as it is.
const scope: { exports: unknown } = { exports: {} };
const bundle = readFileSync(require.resolve('jsts/dist/jsts.min.js'), 'utf8');
const load = runInThisContext(`(function (module, exports) {${bundle}\n})`) as (
  module: object,
  exports: unknown,
) => void;
load(scope, scope.exports);
const jsts = scope.exports as Jsts;

/** The referee: the validity rules of JTS, which QuPath uses. `undefined` when valid, else JTS's reason. */
export function jtsFault(geometry: object): string | undefined {
  const operation = new jsts.operation.valid.IsValidOp(new jsts.io.GeoJSONReader().read(geometry));
  return operation.isValid() ? undefined : operation.getValidationError().getMessage();
}
