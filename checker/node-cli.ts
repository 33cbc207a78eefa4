#!/usr/bin/env node
/** `heddle`. */
import { dismissSearcher, hireSearcher } from './node-searcher.ts'

// Most of the time to a first result goes into starting the thread that searches, and most of the rest into what reads
// the arguments: the two begin at the same time.
if (process.argv[2] === 'check' || process.argv[2] === 'replay') hireSearcher()
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})
const { runCommandLine } = await import('./node-command-line.ts')
process.exitCode = await runCommandLine(process.argv.slice(2))
dismissSearcher()
