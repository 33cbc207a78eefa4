import { structureOf, testStructure } from './structure.ts'

for (const name of ['barrier', 'event', 'mutex', 'once', 'read-write-lock', 'roster', 'semaphore'])
  testStructure(await structureOf(name))
