#!/usr/bin/env node
process.stderr.write('sampo: the command line is being built\n');
process.exitCode = 2;
