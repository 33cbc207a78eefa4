import { structureNames, structureOf, testStructure } from './structure.ts'

/** The ring is tested apart. */
for (const name of structureNames.filter((name) => name !== 'ring')) testStructure(await structureOf(name))
