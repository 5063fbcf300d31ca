/** What becomes of files that are signed: read, written, copied, given other labels. */
import { asUser, type Case } from '../case.js';
import { good, PROGRAM, TEXT } from '../content.js';
import { signatureBy as by } from '../signatures.js';

const READ = 'open! r f , read';
const v2 = by('rsa2048');
const v3 = by('rsa2048', { version: 3 });

const rules = ['appraise fowner=$O'];
const signedFile = { content: TEXT, mode: 0o666, label: v2 };
const signedProgram = {
  content: PROGRAM,
  mode: 0o755,
  label: by('rsa2048', { content: 'program' }),
};
const MEASURED = [
  'measure func=FILE_CHECK mask=MAY_READ fowner=$O template=ima-sig',
  'appraise fowner=$O',
];
const NEW_SIGNATURE = by('rsa2048', { content: 'new' });

export const signedFiles = (prefix: string): Case[] =>
  [
    { name: 'read by a user', steps: [asUser(READ)] },
    { name: 'opened for writing', steps: ['open! w f', READ] },
    { name: 'opened for writing by a user', steps: [asUser('open! w f')] },
    { name: 'opened for reading and writing', steps: ['open! rw f', READ] },
    { name: 'opened for appending', steps: ['open! a f', READ] },
    { name: 'truncated by opening', steps: ['open! wt f', READ] },
    { name: 'truncated by path', steps: ['truncate f 3', READ] },
    { name: 'read, then truncated by path', steps: [READ, 'truncate f 3', READ] },
    { name: 'opened for writing after it was read', steps: [READ, 'open! w f', READ] },
    { name: 'executed', files: { f: signedProgram }, steps: ['run f', asUser('run f')] },
    {
      name: 'a changed program executed',
      files: { f: { ...signedProgram, content: TEXT } },
      steps: ['run f'],
    },
    {
      name: 'given a hash',
      steps: [READ, `setx f security.ima ${good()}`, READ, 'open! w f , write x , close', READ],
    },
    {
      name: 'given the signature of another',
      steps: [READ, `setx f security.ima ${by('rsa2048', { content: 'new' })}`, READ],
    },
    {
      name: 'given the signature of another key',
      steps: [READ, `setx f security.ima ${by('p256')}`, READ],
    },
    { name: 'deprived of the signature', steps: [READ, 'rmx f security.ima', READ] },
    {
      name: 'given a mode and an owner',
      steps: [READ, 'chmod f 600', READ, 'chown f 5 5', READ, 'chown f $O $O', READ],
    },
    { name: 'renamed', steps: ['rename f g', 'open! r g'], makes: ['g'] },
    { name: 'measured with ima-sig', rules: MEASURED, steps: [READ, READ] },
    {
      name: 'measured with ima-sig, by p384',
      rules: MEASURED,
      files: { f: { ...signedFile, label: by('p384') } },
      steps: [READ],
    },
    {
      name: 'measured with ima-sig, by a stranger',
      rules: MEASURED,
      files: { f: { ...signedFile, label: by('stranger') } },
      steps: [READ],
    },
    {
      name: 'measured with ima-sig, of version 3',
      rules: MEASURED,
      files: { f: { ...signedFile, label: v3 } },
      steps: [READ],
    },
    {
      name: 'an empty file with its signature',
      files: { f: { ...signedFile, content: '', label: by('rsa2048', { content: 'empty' }) } },
      steps: [READ, 'open! w f', READ],
    },
    {
      name: 'an empty file with another signature',
      files: { f: { ...signedFile, content: '', label: NEW_SIGNATURE } },
      steps: [READ, 'open! w f , write new , close', READ],
    },
    {
      name: 'a copy signed while empty',
      makes: ['g'],
      steps: [
        `open! wc g , chown g $O $O , setx g security.ima ${NEW_SIGNATURE} , write new , close`,
        'open! r g , read',
      ],
    },
    {
      name: 'a copy signed while empty, as its owner',
      makes: ['g'],
      steps: [
        `as $O $O , open! wc g`,
        `setx g security.ima ${NEW_SIGNATURE}`,
        'open! w g , write new , close',
        'open! r g , read',
      ],
    },
    {
      name: 'a copy signed at the end',
      makes: ['g'],
      steps: [
        `open! wc g , write new , chown g $O $O , setx g security.ima ${NEW_SIGNATURE} , close`,
        'open! r g , read',
      ],
    },
    {
      name: 'a copy of another content signed while empty',
      makes: ['g'],
      steps: [
        `open! wc g , chown g $O $O , setx g security.ima ${NEW_SIGNATURE} , write other , close`,
        'open! r g , read',
      ],
    },
    {
      name: 'a hash rule and a signature, written',
      rules: ['hash fowner=$O'],
      steps: ['open! w f , write x , close', READ],
    },
    {
      name: 'a hash rule and a hash, written',
      rules: ['hash fowner=$O'],
      files: { f: { ...signedFile, label: good() } },
      steps: ['open! w f , write x , close', READ],
    },
    {
      name: 'imasig: a new file made and read',
      rules: ['appraise appraise_type=imasig fowner=$O'],
      makes: ['g'],
      steps: ['as $O $O , open! wc g , write new , close', 'open! r g , read'],
    },
    {
      name: 'imasig: a new file made empty and opened again',
      rules: ['appraise appraise_type=imasig fowner=$O'],
      makes: ['g'],
      steps: [
        'as $O $O , open! wc g , close',
        'as $O $O , open! w g , write new , close',
        'open! r g , read',
      ],
    },
    {
      name: 'imasig for reading only: a new file',
      rules: ['appraise func=FILE_CHECK mask=MAY_READ appraise_type=imasig fowner=$O'],
      makes: ['g'],
      steps: [
        `as $O $O , open! wc g , write new , close`,
        'open! r g',
        `setx g security.ima ${NEW_SIGNATURE}`,
        'open! r g , read',
      ],
    },
    {
      name: 'imasig for reading only: a signed file written',
      rules: ['appraise func=FILE_CHECK mask=MAY_READ appraise_type=imasig fowner=$O'],
      steps: ['open! w f , write x , close', READ],
    },
    {
      name: 'imasig for execution only',
      rules: ['appraise func=BPRM_CHECK appraise_type=imasig fowner=$O'],
      files: { f: { content: PROGRAM, mode: 0o755, label: good(PROGRAM) } },
      steps: ['open! r f', 'run f', `setx f security.ima ${signedProgram.label}`, 'run f'],
    },
    {
      name: 'imasig for execution, any label for reading',
      rules: [
        'appraise func=BPRM_CHECK appraise_type=imasig fowner=$O',
        'appraise func=FILE_CHECK fowner=$O',
      ],
      files: { f: { content: PROGRAM, mode: 0o755, label: good(PROGRAM) } },
      steps: ['open! r f', 'run f', 'open! r f'],
    },
    {
      name: 'appraise_algos=sha512 and a signature over sha256',
      rules: ['appraise appraise_algos=sha512 fowner=$O'],
      steps: [READ, READ],
    },
    {
      name: 'appraise_algos=sha512 and a signature over sha512',
      rules: ['appraise appraise_algos=sha512 fowner=$O'],
      files: { f: { ...signedFile, label: by('rsa2048', { algorithm: 'sha512' }) } },
      steps: [READ],
    },
  ].map(
    (it): Case => ({ rules, files: { f: signedFile }, ...it, name: `${prefix}signed: ${it.name}` }),
  );
