// Extends a PCR in a loop as a C program would, for comparison with src/tpm/tss.ts; prints extends
// per second and the mean time of one in microseconds.
//   extendloop TCTI PCR COUNT
// Build: gcc -O2 -o extendloop extendloop.c -ltss2-esys -ltss2-tctildr
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

static const struct {
  TPM2_ALG_ID algorithm;
  size_t size;
} known_banks[] = {
    {TPM2_ALG_SHA1, TPM2_SHA1_DIGEST_SIZE},
    {TPM2_ALG_SHA256, TPM2_SHA256_DIGEST_SIZE},
    {TPM2_ALG_SHA384, TPM2_SHA384_DIGEST_SIZE},
    {TPM2_ALG_SHA512, TPM2_SHA512_DIGEST_SIZE},
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void check(TSS2_RC rc, const char* what) {
  if (rc != TSS2_RC_SUCCESS) errx(1, "%s: 0x%x", what, rc);
}

static int has_pcrs(const TPMS_PCR_SELECTION* bank) {
  for (int i = 0; i < bank->sizeofSelect; i++) {
    if (bank->pcrSelect[i] != 0) return 1;
  }
  return 0;
}

// One zero digest for each allocated bank.
static TPML_DIGEST_VALUES digests_of_banks(ESYS_CONTEXT* esys) {
  TPMS_CAPABILITY_DATA* capability;
  TPMI_YES_NO more;
  check(Esys_GetCapability(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_PCRS, 0, 16,
                           &more, &capability),
        "Esys_GetCapability");
  TPML_DIGEST_VALUES digests = {0};
  const TPML_PCR_SELECTION* banks = &capability->data.assignedPCR;
  for (size_t known = 0; known < sizeof known_banks / sizeof *known_banks; known++) {
    for (UINT32 i = 0; i < banks->count; i++) {
      if (banks->pcrSelections[i].hash == known_banks[known].algorithm &&
          has_pcrs(&banks->pcrSelections[i])) {
        digests.digests[digests.count++].hashAlg = known_banks[known].algorithm;
      }
    }
  }
  Esys_Free(capability);
  return digests;
}

int main(int argc, char** argv) {
  if (argc != 4) errx(2, "usage: extendloop TCTI PCR COUNT");
  setenv("TSS2_LOG", "all+NONE", 0);
  TSS2_TCTI_CONTEXT* tcti;
  ESYS_CONTEXT* esys;
  check(Tss2_TctiLdr_Initialize(argv[1], &tcti), "Tss2_TctiLdr_Initialize");
  check(Esys_Initialize(&esys, tcti, NULL), "Esys_Initialize");
  ESYS_TR pcr = ESYS_TR_PCR0 + atoi(argv[2]);
  long count = atol(argv[3]);
  TPML_DIGEST_VALUES digests = digests_of_banks(esys);
  double start = now();
  for (long i = 0; i < count; i++) {
    memcpy(digests.digests[0].digest.sha1, &i, sizeof i);
    check(Esys_PCR_Extend(esys, pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &digests),
          "Esys_PCR_Extend");
  }
  double seconds = now() - start;
  printf("%.0f %.1f\n", count / seconds, seconds / count * 1e6);
  Esys_Finalize(&esys);
  Tss2_TctiLdr_Finalize(&tcti);
}
