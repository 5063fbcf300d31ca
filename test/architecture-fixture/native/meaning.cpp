// Mechanism may be described here, imafs may be named.
bool appraise() { return true; }
