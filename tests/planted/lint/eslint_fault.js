const answer = 42;
debugger; // planted for eslint: no-debugger
console.log(answer);
