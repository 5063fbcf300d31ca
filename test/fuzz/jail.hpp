// Where a fuzzer may do what it likes: nothing of the host can be reached from there.
#pragma once

namespace imafs::fuzz {

// Goes on in namespaces of its own, as a root that is nobody outside, in a root directory that is
// an empty tmpfs but for /usr, /proc, /work (what was the working directory, which everybody must
// be able to write), and /backing, a file system of its own. Ends the program if that fails. Begun
// as root; to be called before there is a second thread.
void enterJail();

}  // namespace imafs::fuzz
