// A command's file is loaded when it is called: `sampo --help` must not wait for the server's parts (0.4 s). A dynamic import
// would be left to Node's own loader, which wants the endings of built files; `require` works built and from the sources.
/* eslint-disable @typescript-eslint/no-require-imports */
import type { Command } from './command';

/** One row of `sampo --help`. */
export interface CommandRow {
  readonly name: string;
  readonly summary: string;
  load(): Command;
}

/** Every subcommand, in the order in which they are listed. */
export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'segment',
    summary: 'find all nuclei like the clicked ones, as GeoJSON',
    load: () => (require('./segment') as typeof import('./segment')).segment,
  },
  {
    name: 'intents',
    summary: 'list, show, export, import, rename or delete intents',
    load: () => (require('./intents') as typeof import('./intents')).intents,
  },
  {
    name: 'judge',
    summary: 'accept and reject objects, or see which to judge next',
    load: () => (require('./judge') as typeof import('./judge')).judge,
  },
  {
    name: 'refine',
    summary: 'make an intent better from what was accepted and rejected',
    load: () => (require('./refine') as typeof import('./refine')).refine,
  },
  {
    name: 'checkpoints',
    summary: 'the versions of an intent: list, go back to one, delete one',
    load: () => (require('./checkpoints') as typeof import('./checkpoints')).checkpoints,
  },
  {
    name: 'models',
    summary: 'list models, take in a SAM-family export, or fetch one',
    load: () => (require('./models') as typeof import('./models')).models,
  },
  {
    name: 'batch',
    summary: 'run intents over folders and whole slides: resumable, with tables and a page',
    load: () => (require('./batch') as typeof import('./batch')).batch,
  },
  {
    name: 'worker',
    summary: 'search parts of images for a server on another machine',
    load: () => (require('./worker') as typeof import('./worker')).worker,
  },
  {
    name: 'serve',
    summary: 'start the server and keep it running',
    load: () => (require('./serve') as typeof import('./serve')).serve,
  },
  {
    name: 'status',
    summary: 'show the running server',
    load: () => (require('./talk') as typeof import('./talk')).status,
  },
  {
    name: 'stop',
    summary: 'stop the running server',
    load: () => (require('./talk') as typeof import('./talk')).stop,
  },
  {
    name: 'doctor',
    summary: 'what is wrong with this installation, and what to do',
    load: () => (require('./doctor') as typeof import('./doctor')).doctor,
  },
  {
    name: 'call',
    summary: 'call any method of the protocol',
    load: () => (require('./talk') as typeof import('./talk')).call,
  },
  {
    name: 'plugin',
    summary: 'put the QuPath plugin in place, or take it away',
    load: () => (require('./plugin') as typeof import('./plugin')).plugin,
  },
  {
    name: 'train',
    summary: 'tune the model on labelled images',
    load: () => (require('./train') as typeof import('./train')).train,
  },
  {
    name: 'bench',
    summary: 'measure the model on labelled images',
    load: () => (require('./bench') as typeof import('./bench')).bench,
  },
  {
    name: 'demo',
    summary: 'three clicks on a bundled tile: all nuclei of that type, then better ones by judging',
    load: () => (require('./demo') as typeof import('./demo')).demo,
  },
];
