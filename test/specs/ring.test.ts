import { structureOf, testStructure } from './structure.ts'

testStructure(await structureOf('ring'))
