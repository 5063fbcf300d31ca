/** Files that the steps themselves make: what IMA takes for new, and which label they get. */
import { SIGNATURE, wrong } from '../content.js';

/** Steps on a file `f`, and what becomes of it. */
export interface Life {
  readonly name: string;
  /** `good` unless given. */
  readonly label?: string | undefined;
  readonly content?: string;
  readonly steps: readonly string[];
  readonly makes?: readonly string[];
}

/** A file that the steps make: its owner is whoever makes it, so it is named $O by becoming that user. */
const AS_OWNER = 'as $O $O , ';
export const NEW_FILES: readonly Life[] = [
  { name: 'made empty', steps: [`${AS_OWNER}open! wc g , close`, 'open! r g , read'] },
  {
    name: 'made and written',
    steps: [`${AS_OWNER}open! wc g , write new , close`, 'open! r g , read'],
  },
  {
    name: 'made and written by O_RDWR',
    steps: [`${AS_OWNER}open! rwc g , write new , close`, 'open! r g , read'],
  },
  { name: 'made for reading', steps: [`${AS_OWNER}open! rc g , read , close`, 'open! r g , read'] },
  {
    name: 'made empty, written later',
    steps: [
      `${AS_OWNER}open! wc g , close`,
      `${AS_OWNER}open! w g , write x , close`,
      'open! r g , read',
    ],
  },
  {
    name: 'made empty, appended to later by root',
    steps: [`${AS_OWNER}open! wc g , close`, 'open! a g , write x , close', 'open! r g , read'],
  },
  {
    name: 'made, and read while open',
    steps: [
      `${AS_OWNER}open! wc g , write new , open! r g , read , close , use 0 , close`,
      'open! r g , read',
    ],
  },
  {
    name: 'made, and its label looked at while open',
    steps: [
      `${AS_OWNER}open! wc g , write new , getx g security.ima , close , getx g security.ima`,
    ],
  },
  {
    name: 'made, opened again before the end and written',
    steps: [
      `${AS_OWNER}open! wc g , open! w g , write new , close , use 0 , close`,
      'open! r g , read',
    ],
  },
  { name: 'made by mknod', steps: [`${AS_OWNER}mknod g f 644`, 'open! r g , read'] },
  {
    name: 'made by mknod and written',
    steps: [`${AS_OWNER}mknod g f 644 , open! w g , write new , close`, 'open! r g , read'],
  },
  {
    name: 'made without a name and linked',
    steps: [`${AS_OWNER}open! rwm . , write new , linkfd g , close`, 'open! r g , read'],
  },
  {
    name: 'made and truncated',
    steps: [`${AS_OWNER}open! wct g , write new , close`, 'open! r g , read'],
  },
  {
    name: 'made exclusively',
    steps: [`${AS_OWNER}open! wcx g , write new , close`, 'open! r g , read'],
  },
  {
    name: 'made by root and given away',
    steps: ['open! wc g , write new , close , chown g $O $O', 'open! r g , read'],
  },
  {
    name: 'made by root and given away while open',
    steps: ['open! wc g , chown g $O $O , write new , close', 'open! r g , read'],
  },
  {
    name: 'made and labelled wrongly while open',
    steps: [
      `open! wc g , chown g $O $O , setx g security.ima ${wrong} , write new , close`,
      'open! r g , read',
    ],
  },
  {
    name: 'made and signed while open and empty',
    steps: [
      `open! wc g , chown g $O $O , setx g security.ima ${SIGNATURE} , write new , close`,
      'open! r g , read',
    ],
  },
  {
    name: 'made and signed, opened again while empty',
    steps: [
      `${AS_OWNER}open! wc g , close`,
      `setx g security.ima ${SIGNATURE}`,
      'open! w g , write new , close',
      'open! r g , read',
    ],
  },
  {
    name: 'made through a mapping',
    steps: [
      `${AS_OWNER}open! rwc g , ftruncate 10 , mmap rw s 10 , store 0 hello , munmap , close`,
      'open! r g , read',
    ],
  },
  {
    name: 'a program made and executed',
    steps: [
      `${AS_OWNER}open! r /mnt/$D/f , open! wc g , copyrange 0 200 , close , chmod g 755 , run g`,
    ],
  },
];
