import { mapPath, readPathMap } from '../../../../src/services/batch/cluster/pathMap';

test.each([
  ['/data/a/b.svs', ['/data=/mnt/slides'], '/mnt/slides/a/b.svs'],
  ['/data/a/b.svs', ['/data=Z:\\data'], 'Z:\\data\\a\\b.svs'],
  ['/data/a/b.svs', ['/data=\\\\server\\share'], '\\\\server\\share\\a\\b.svs'],
  ['/data/a/b.svs', ['/data=Z:\\'], 'Z:\\a\\b.svs'],
  ['Z:\\Data\\a\\b.svs', ['z:\\data=/mnt/data'], '/mnt/data/a/b.svs'],
  ['\\\\server\\share\\a b.svs', ['//server/share=/x', '\\\\server\\share=/mnt'], '/mnt/a b.svs'],
  ['/data', ['/data=/mnt'], '/mnt'],
  ['/data/a', ['/data/=/mnt/'], '/mnt/a'],
  ['/data/a', ['/=/mnt'], '/mnt/data/a'],
  // The longest folder that fits, in whichever order they stand.
  ['/data/big/a.svs', ['/data=/small', '/data/big=/large'], '/large/a.svs'],
  // A folder is a whole name.
  ['/database/a.svs', ['/data=/mnt'], '/database/a.svs'],
  ['/Data/a.svs', ['/data=/mnt'], '/Data/a.svs'],
  ['/data/a\\b.svs', ['/data=/mnt'], '/mnt/a\\b.svs'],
  // An equals sign in a name.
  ['/data/run=3/a.svs', ['/data/run=3=/mnt'], '/mnt/a.svs'],
  ['/elsewhere/a.svs', [], '/elsewhere/a.svs'],
])('%s by %j is %s', (path, maps, expected) => {
  expect(mapPath(path, maps.map(readPathMap))).toBe(expected);
});

test.each(['/data', 'data=/mnt', '/data=mnt', '=', '/a=/b=/c'])('"%s" is refused', (text) => {
  expect(() => readPathMap(text)).toThrow(/FROM=TO|can be read in 2 ways/);
});
