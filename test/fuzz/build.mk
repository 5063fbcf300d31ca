# make -f test/fuzz/build.mk: dist/fuzz/request_decoder, the target, with all of native/ but its door to
# JavaScript, and dist/fuzz/make_seeds.

OUT := dist/fuzz
FLAGS := -std=c++20 -g -O1 -pthread -D_GNU_SOURCE -Inative -Wall -Wextra -Werror \
  -Wno-missing-field-initializers
CHECKED := -fno-exceptions -fno-omit-frame-pointer -fno-sanitize-recover=all \
  -fsanitize=fuzzer,address,undefined
SOURCES := $(filter-out native/addon%,$(wildcard native/*.cpp)) \
  $(filter-out test/fuzz/make_seeds.cpp,$(wildcard test/fuzz/*.cpp))
OBJECTS := $(SOURCES:%.cpp=$(OUT)/%.o)

all: $(OUT)/request_decoder $(OUT)/make_seeds

$(OUT)/request_decoder: $(OBJECTS)
	clang++ $(CHECKED) -pthread $^ -o $@

$(OUT)/make_seeds: test/fuzz/make_seeds.cpp test/fuzz/step.hpp native/fuse_protocol.hpp
	@mkdir -p $(@D)
	clang++ $(FLAGS) $< -o $@

$(OUT)/%.o: %.cpp
	@mkdir -p $(@D)
	clang++ $(FLAGS) $(CHECKED) -MMD -c $< -o $@

-include $(OBJECTS:.o=.d)
