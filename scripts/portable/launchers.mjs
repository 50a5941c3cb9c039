const MAIN = 'app/node_modules/sampo-bridge/dist/main.js';

/** For Linux and macOS; also reached through a symbolic link. */
const SHELL = `#!/bin/sh
# Starts SAMPO with the Node that lies beside it: nothing needs to be installed.
self=$0
while [ -h "$self" ]; do
  target=$(readlink "$self") || exit 1
  case $target in
    /*) self=$target ;;
    *) self=\${self%/*}/$target ;;
  esac
done
case $self in
  */*) folder=\${self%/*} ;;
  *) folder=. ;;
esac
here=$(CDPATH= cd -- "$folder" && pwd -P) || exit 1
node=$here/node/node
if [ ! -f "$node" ] || [ ! -f "$here/${MAIN}" ]; then
  echo "sampo: $here is not whole; unpack the zip again" >&2
  exit 1
fi
if [ ! -x "$node" ]; then
  echo "sampo: $node may not be run: the disk forbids programs (noexec), or the right was lost in unpacking" >&2
  echo "  copy the folder to another disk, or: chmod +x '$node' '$here/sampo'" >&2
  exit 1
fi
exec "$node" "$here/${MAIN}" "$@"
`;

const CMD = `@echo off\r
rem Starts SAMPO with the Node that lies beside it: nothing needs to be installed.\r
if not exist "%~dp0node\\node.exe" (\r
  echo sampo: %~dp0 is not whole; unpack the zip again 1>&2\r
  exit /b 1\r
)\r
"%~dp0node\\node.exe" "%~dp0${MAIN.replaceAll('/', '\\')}" %*\r
`;

/** File name and text of what starts SAMPO. */
export function launcher(os) {
  return os === 'win32' ? { name: 'sampo.cmd', text: CMD } : { name: 'sampo', text: SHELL };
}

/** The first thing a user reads. */
export function readMe(platform, version, os) {
  const start = os === 'win32' ? 'sampo.cmd' : './sampo';
  const quarantine =
    os === 'darwin'
      ? '\nmacOS marks what was downloaded and refuses to run it. In this folder, once:\n  xattr -dr com.apple.quarantine .\n'
      : '';
  const text = `SAMPO ${version} for ${platform}

Click a few nuclei, get all nuclei of that type. Nothing to install: Node, the engine and the model are in this folder.
${quarantine}
Open a terminal in this folder:
  ${start} demo       three clicks on a bundled picture: all nuclei of that type, into the folder "out"
  ${start} serve --root FOLDER_OF_YOUR_IMAGES      the server that QuPath, napari and scripts find by themselves
  ${start} doctor     what is wrong, and what to do, when something does not work
  ${start} --help     everything else

No administrator, no network. To remove SAMPO, delete this folder.
More: app/node_modules/sampo-bridge/README.md
`;
  return os === 'win32' ? text.replaceAll('\n', '\r\n') : text;
}
