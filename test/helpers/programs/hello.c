// A dynamically linked program; its PT_INTERP is chosen when it is linked.
#include <stdio.h>
int main(void) {
  puts("hello");
  return 0;
}
